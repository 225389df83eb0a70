"""What each command takes; what it does is in the module that it calls."""
