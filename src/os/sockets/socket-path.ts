/**
 * The path of a unix socket. It stands apart from socket-address.ts, which needs the C library: whoever only reads
 * settings doesn't.
 */

/** How many bytes a path may have: sun_path, less the NUL behind it. */
export const maxPathBytes = process.platform === "darwin" ? 103 : 107;
