/** Configuration that can't be used: the message is one line that says where, what, and what was got. Exit code 1. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Command-line words (or those of GUNICORN_CMD_ARGS) that don't parse. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
