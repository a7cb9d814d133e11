"""Programs that run as children. They share nothing with ``soundforge`` but JSON lines."""
