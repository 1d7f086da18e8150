"""Trust: active sets, extrapolation grades, D-optimal selection."""
