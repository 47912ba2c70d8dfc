"""The whole product on this machine: embedded AWS, both simulators, the deployed template."""
