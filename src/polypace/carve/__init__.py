"""Small clusters out of periodic melts."""
