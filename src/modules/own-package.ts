/** The server as the package that apps and configuration files import. */
import { dirname } from "node:path";
import { ownFile } from "../own-files.ts";
import { isInstalled } from "./packages.ts";

export const ownPackage = "gunicorn-ts";

/** From now on `import "gunicorn-ts"` is the running server in this process, installed or not. */
export function provideOwnPackage(): void {
  Bun.plugin({
    name: ownPackage,
    setup(build) {
      const exports = (): Record<string, unknown> => require(ownFile("index"));
      build.module(ownPackage, () => ({ exports: exports(), loader: "object" }));
    },
  });
}

let provided = false;

/** The same for a file that can't find the package: one of /etc, or of a server that is installed elsewhere. */
export function provideOwnPackageFor(path: string): void {
  if (provided || isInstalled(ownPackage, dirname(path))) return;
  provided = true;
  provideOwnPackage();
}
