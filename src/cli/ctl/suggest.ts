/** What words that `ctl` doesn't know may mean. */
import { didYouMean, nearest } from "../../modules/nearest.ts";

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

/** As didYouMean() says it. */
export function suggest(word: string, names: readonly string[], prefix = ""): string {
  const near = nearest(
    word,
    names.flatMap((name) => [name, ...name.split(" ")]),
  );
  const named = names.find((name) => name.split(" ").includes(near ?? ""));
  const meant = otherWords.get(word) ?? named ?? near;
  return didYouMean(meant && prefix + meant);
}
