import { version as packageVersion } from "../package.json";

/** The version in package.json, as shown by --version and in `Starting gunicorn-ts`. */
export const version: string = packageVersion;
