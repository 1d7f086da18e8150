"""What each kind of step does; every function gets a StepContext and writes into its folder."""
