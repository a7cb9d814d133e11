"""Loaded first by every Python of the tool's environment in these tests: it trusts the pretended sites' certificate."""

import os

import certifi

certifi.where = lambda: os.environ["SHELF_CA"]
