"""The periods by which nodes show that they live, in seconds before a node scales them."""

HEARTBEAT_S = 5.0  # each node refreshes its producers, and looks for orphans
STALE_S = 20.0  # without a refresh a producer counts as dead
CONFIRM_S = 10.0  # for so long an orphan must look like one before it is rescued
FORGET_S = 60.0  # after which Oban removes a dead producer's row
STAGE_S = 1.0  # how often Oban looks for jobs whose time has come
GRACE_S = 20.0  # for running jobs to end when a node stops
TEN_YEARS_S = 10 * 365 * 86400.0  # Oban's own rescue goes by age: never
KEEP_S = 7 * 86400  # Oban's finished jobs
