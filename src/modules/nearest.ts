/** The word that a misspelt one may mean. */

/** Longer ones are nobody's slip, and to compare them with the files of a large folder would take seconds. */
const longestMisspelt = 100;

/** The nearest of the words, in any case; null where none is near: a third of the letters wrong is another word. */
export function nearest(name: string, words: Iterable<string>): string | null {
  if (name.length > longestMisspelt) return null;
  let best: string | null = null;
  let least = name.length < 2 ? 1 : Math.max(1, Math.floor(name.length / 3)) + 1;
  const wanted = name.toLowerCase();
  for (const word of words) {
    if (Math.abs(word.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, word.toLowerCase());
    if (distance < least) [best, least] = [word, distance];
  }
  return best;
}

/** The end of a message, `, did you mean show workers?`; empty where nothing is near. */
export function didYouMean(meant: string | null): string {
  return meant === null ? "" : `, did you mean ${meant}?`;
}

/** How many letters must be added, removed, replaced or swapped with their neighbours to get from one word to the other. */
export function editDistance(from: string, to: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index += 1) {
    const next = [index + 1];
    for (let at = 0; at < to.length; at += 1) {
      const replaced = row[at]! + (to[at] === from[index] ? 0 : 1);
      const isSwapped = at > 0 && to[at] === from[index - 1] && to[at - 1] === from[index];
      const swapped = isSwapped ? (before[at - 1] ?? Infinity) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, row[at + 1]! + 1, next[at]! + 1));
    }
    [before, row] = [row, next];
  }
  return row[to.length]!;
}
