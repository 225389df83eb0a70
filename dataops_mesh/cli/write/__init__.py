"""Commands that write what a team goes on with: init, new, import."""
