/** What is remembered of things that come: a letter for each, "k" found, "s" a stranger that is remembered, "." one that isn't. */
import { expect, test } from "bun:test";
import { Patience } from "../../../src/http/patience.ts";

function shown(coming: string): string {
  const patience = new Patience();
  return coming.replaceAll(/./g, (each) => {
    if (each === "s") return patience.missed() ? "s" : ".";
    patience.found();
    return each;
  });
}

const few = "s".repeat(31);

const rows: [claim: string, coming: string, remembered: string][] = [
  ["the first 33 are remembered", "s".repeat(40), `${few}ss.......`],
  ["then two of 32", "s".repeat(100), `${few}ss${".".repeat(30)}ss${".".repeat(30)}ss...`],
  ["one that is found ends the count", `${few}ssssksss`, `${few}ss..ksss`],
  ["where half is found, the rest is remembered all the time", "ks".repeat(200), "ks".repeat(200)],
  ["so it is with one found of 33", `${few}ssk`.repeat(9), `${few}ssk`.repeat(9)],
  ["what is found is never counted", "k".repeat(100) + few, "k".repeat(100) + few],
];

test.each(rows)("%s", (_claim, coming, remembered) => {
  expect(shown(coming)).toBe(remembered);
});
