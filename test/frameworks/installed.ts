/** The packages that the apps are made of: package.json of this folder. */
import { packagesOf } from "../support/packaging/packages.ts";

export const needsPackages = await packagesOf(import.meta.dir);
