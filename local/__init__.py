"""The local world: simulators of both sides, the embedded AWS, the demo."""
