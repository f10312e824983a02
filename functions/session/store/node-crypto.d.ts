/** What is used of it: workerd has all of it, and the Workers' types have none. */
declare module "node:crypto" {
  interface Hash {
    update(text: string): { digest(): Uint8Array<ArrayBuffer> };
  }
  export function createHmac(algorithm: "sha256", key: Uint8Array): Hash;
  export function createHash(algorithm: "sha256"): Hash;
}
