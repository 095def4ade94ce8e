/** The program of an executable. Its master's children run it too, with an own file as the first word. */
import { provideOwnPackage } from "../modules/own-package.ts";
import { ownFolder } from "../own-files.ts";

// No package of the server is on the disk for what an app and a configuration file import.
provideOwnPackage();

const [word = ""] = process.argv.slice(2);
if (word.startsWith(`${ownFolder}/`) && process.send !== undefined) {
  process.argv.splice(2, 1);
  await import(word);
} else {
  const { start } = await import("./start.ts");
  process.exit(await start(process.argv.slice(2)));
}
