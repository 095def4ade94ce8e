/** Where the server's own files are: the sources in a checkout, in the package what `prepack` has bundled of them. */
import { extname, join } from "node:path";

/** The bundle is laid out as the sources are, and what its programs share, as this file, lies on top. */
export const ownFolder = import.meta.dir;

const extension = extname(import.meta.path);

/** @param source from src, without its extension: `worker/main` */
export function ownFile(source: string): string {
  return join(ownFolder, `${source}${extension}`);
}
