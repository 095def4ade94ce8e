/** A path for each sort of request. */
import { fetch as cpu } from "./cpu.ts";
import { fetch as hello } from "./hello.ts";
import { fetch as wait } from "./io-wait.ts";
import { fetch as json } from "./json.ts";
import { fetch as read } from "./url-and-header.ts";

export function fetch(request: Request): Response | Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", 8));
  switch (path) {
    case "/json":
      return json();
    case "/cpu":
      return cpu();
    case "/wait":
      return wait();
    case "/read":
      return read(request);
    default:
      return hello();
  }
}
