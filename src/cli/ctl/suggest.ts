/** What words that `ctl` doesn't know may mean. */
import { nearest } from "../../modules/nearest.ts";

/** What other programs call it, or the server's own flags. */
const otherWords: ReadonlyMap<string, string> = new Map([
  ["stop", "shutdown"],
  ["quit", "shutdown quick"],
  ["restart", "reload"],
  ["status", "show stats"],
  ["ps", "show workers"],
  ["list", "show workers"],
  ["control-socket", "socket"],
]);

/** A question that ends a message, `, did you mean show workers?`; empty where nothing is near. */
export function suggest(word: string, names: readonly string[], prefix = ""): string {
  const near = nearest(
    word,
    names.flatMap((name) => [name, ...name.split(" ")]),
  );
  const named = names.find((name) => name.split(" ").includes(near ?? ""));
  const meant = otherWords.get(word) ?? named ?? near;
  return meant === null ? "" : `, did you mean ${prefix}${meant}?`;
}
