"""What a build is given: inputs, `self`, late rows, parameters, the state of dbt."""
