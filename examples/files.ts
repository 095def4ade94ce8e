/**
 * A file server: the folder FILES, or the one it is started in. Ranges, conditional requests and HEAD are the server's.
 *
 *     gunicorn-ts -w 2 -e FILES=/srv/www files.ts
 */
import { realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";

const root = realpathSync(process.env["FILES"] ?? ".");

export function fetch(request: Request): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Method not allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const path = find(new URL(request.url).pathname);
  if (path === null) return new Response("Not found\n", { status: 404 });
  return new Response(Bun.file(path));
}

/** The file in the folder that a path of a URL names, index.html for a folder; null if there is none. */
function find(pathname: string): string | null {
  try {
    const wanted = join(root, decodeURIComponent(pathname));
    const isFolder = statSync(wanted).isDirectory();
    // Symbolic links may lead outside, and so may an encoded slash behind two dots.
    const path = realpathSync(isFolder ? join(wanted, "index.html") : wanted);
    return path.startsWith(root + sep) && statSync(path).isFile() ? path : null;
  } catch {
    // Not there, not readable, or not what a URL encodes.
    return null;
  }
}
