/** Apps that are built first, natively and under gunicorn-ts. */
import { builtApps } from "./built-apps.ts";
import { compareApps } from "./side-by-side.ts";

compareApps(builtApps);
