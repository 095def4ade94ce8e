/** Why a handshake has failed, in a few words. */

/** `error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST` */
const opensslError = /^error:[0-9a-f]+:[^:]*:[^:]*:([A-Z0-9_]+)$/;

/** Of what Bun gives a socket's `handshake`: `http request`, `no application protocol`, `certificate has expired`. */
export function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === "ECONNRESET") return "the client has left";
  if (typeof message !== "string") return "no reason given";
  const reason = opensslError.exec(message)?.[1];
  return reason === undefined ? message : reason.toLowerCase().replaceAll("_", " ");
}

/** The client speaks HTTP without TLS. */
export function isPlainHttp(error: unknown): boolean {
  const reason = reasonOf(error);
  return reason === "http request" || reason === "https proxy request";
}
