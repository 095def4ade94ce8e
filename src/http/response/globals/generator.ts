/** Async generators, and their native methods, kept apart from what apps may patch later. */
const generators: AsyncGenerator = Object.getPrototypeOf(
  Object.getPrototypeOf((async function* () {})()),
);

export const { next: nativeNext, return: nativeReturn } = generators;

const nativeIterator = generators[Symbol.asyncIterator];

/** Whether Bun would ask it for chunks in no other way than by these. */
export function isPlainGenerator(init: unknown): init is AsyncGenerator {
  if (typeof init !== "object" || init === null || !("next" in init)) return false;
  return (
    init.next === nativeNext &&
    Reflect.get(init, "return") === nativeReturn &&
    Reflect.get(init, Symbol.asyncIterator) === nativeIterator
  );
}
