/** The program behind preload_app: imports the app as a worker would, says how that went, and ends. */
import { isA } from "../../api/thrown.ts";
import { AppImportError } from "../../modules/errors.ts";
import { loadApp } from "../../app/load.ts";
import { exitCodes } from "../../ipc/exit-codes.ts";
import type { PreloadMessage, PreloadResult } from "../../ipc/messages.ts";
import { describeError } from "../../log/error-log.ts";
import { assume, identityOf, PrivilegesError } from "../../os/privileges.ts";

// The master has gone.
process.on("disconnect", () => process.exit(exitCodes.ok));

process.once("message", async ({ config, app }: PreloadMessage) => {
  const result = await attempt(config, app);
  process.send?.(result, () => process.exit(exitCodes.ok));
});

async function attempt(config: PreloadMessage["config"], app: string): Promise<PreloadResult> {
  try {
    const identity = identityOf(config);
    if (identity !== null) assume(identity);
    await loadApp(app, { cwd: config.chdir });
    return { type: "preloaded" };
  } catch (error) {
    // The app's own exception needs its stack; a wrong reference is told in one line.
    const expected = isA(error, AppImportError) || isA(error, PrivilegesError);
    return { type: "preload failed", message: expected ? error.message : describeError(error) };
  }
}
