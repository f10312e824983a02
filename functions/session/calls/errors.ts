/** Another client of the context has the call: it is not ours to say a word on. */
export class Taken extends Error {
  override readonly name = "Taken";

  constructor() {
    super("another client took the call");
  }
}
