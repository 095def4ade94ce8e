export function createTrust(list: readonly string[]): (address: string | undefined) => boolean {
  return (address) => address === undefined || list.includes("*") || list.includes(address);
}
