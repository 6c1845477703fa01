"""Recording and scenario to plan."""
