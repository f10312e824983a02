/** What is used of it: workerd has all of it, and the Workers' types have none. */
declare module "node:crypto" {
  export function createHmac(
    algorithm: "sha256",
    key: Uint8Array,
  ): { update(text: string): { digest(): Uint8Array } };
}
