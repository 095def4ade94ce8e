/**
 * Bun.serve doesn't tell by which protocol a request has come. But it copies the URL of an HTTP/2 request at once, and
 * that of an HTTP/1.1 request when somebody asks for it: only then does the Request hold more memory (Bun 1.4.5).
 */
import { estimateShallowMemoryUsageOf } from "bun:jsc";

/** @param request whose `url` nobody has asked for yet */
export function protocolOf(request: Request): "HTTP/1.1" | "HTTP/2" {
  const before = estimateShallowMemoryUsageOf(request);
  const grows = request.url.length > 0 && estimateShallowMemoryUsageOf(request) > before;
  // RFC 9113 §8.2.2: HTTP/2 has no such field.
  return grows || request.headers.has("connection") ? "HTTP/1.1" : "HTTP/2";
}
