"""Plezi, in the engine's words. Everything about its API that is assumed sits in one setting."""
