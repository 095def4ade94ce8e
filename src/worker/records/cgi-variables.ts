/**
 * CGI variables (RFC 3875 §4.1) for `%({NAME}e)s` of the access log: what an app of Gunicorn would find in its environ.
 */
import { decodePath, rawPath, rawQuery } from "../../log/access/request-facts.ts";
import type { RequestRecord } from "../../api/request-record.ts";
import { version } from "../../version.ts";

/** What a record doesn't say, and a worker class knows. */
export interface Surroundings {
  /** Null on a unix socket, or when the client has left. */
  readonly remotePort: number | null;
  readonly serverName: string;
  readonly serverPort: number | null;
  readonly scheme: string;
  /** The path that the app is mounted at, empty for the root, and the rest of the raw path. */
  readonly scriptName: string;
  readonly pathInfo: string;
  /** All values of a request header, in order, with commas between. */
  headerValues(name: string): string | null;
}

/** Null for what isn't there. `name` is in upper case, but for `wsgi.url_scheme`. */
export function environOf(
  request: RequestRecord,
  around: Surroundings,
  name: string,
): string | null {
  switch (name) {
    case "REQUEST_METHOD":
      return request.method || null;
    case "RAW_URI":
      return request.target || null;
    case "SERVER_PROTOCOL":
      return request.protocol || null;
    case "PATH_INFO":
      return decodePath(around.pathInfo) || null;
    case "QUERY_STRING":
      return rawQuery(request);
    case "SCRIPT_NAME":
      return around.scriptName;
    case "REMOTE_ADDR":
      return request.clientAddress;
    case "REMOTE_PORT":
      return textOf(around.remotePort);
    case "SERVER_NAME":
      return around.serverName;
    case "SERVER_PORT":
      return textOf(around.serverPort);
    case "SERVER_SOFTWARE":
      return `gunicorn-ts/${version}`;
    case "wsgi.url_scheme":
      return around.scheme;
    case "CONTENT_TYPE":
    case "CONTENT_LENGTH":
      return around.headerValues(headerName(name));
    default:
      if (!name.startsWith("HTTP_")) return null;
      return around.headerValues(headerName(name.slice("HTTP_".length)));
  }
}

function headerName(variable: string): string {
  return variable.toLowerCase().replaceAll("_", "-");
}

function textOf(value: number | null): string | null {
  return value === null ? null : String(value);
}

/** Where `target` is split when the app sees `appTarget` of it. */
export function mountOf(target: string, appTarget: string | null): string {
  if (appTarget === null) return "";
  if (target.endsWith(appTarget)) return target.slice(0, target.length - appTarget.length);
  // The app sees a slash that the client hasn't sent.
  return rawPath({ method: "GET", target } as RequestRecord);
}
