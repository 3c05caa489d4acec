/**
 * The shape of a value and how it stands in the IPLD data model.
 *
 * Both directions check everything, so that what we write is never refused by others.
 */
export interface Schema<T> {
  /** what a value must be, for error messages */
  readonly expects: string

  /**
   * The value in the IPLD data model.
   * `path` says where the value stands, for error messages.
   */
  toPlain (value: T, path: string): unknown

  /** The value of what a dag-cbor decoder returned, which may be anything. */
  fromPlain (plain: unknown, path: string): T
}

/** A field that may be absent. Absent and `undefined` are the same. */
export interface OptionalSchema<T> extends Schema<T | undefined> {
  readonly optional: true
}

/** The type of the values of a schema or a codec. */
export type Infer<S> = S extends { schema: Schema<infer T> } ? T : S extends Schema<infer T> ? T : never

export type Fields = Record<string, Schema<unknown>>

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends { optional: true } ? K : never }[keyof F]

type Flat<T> = { [K in keyof T]: T[K] }

/** The type of a struct with these fields. */
export type StructOf<F extends Fields> = Flat<
  { [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & { [K in OptionalKeys<F>]?: Infer<F[K]> }
>

/** The type of a union of structs told apart by the value of the field `Tag`. */
export type UnionOf<Tag extends string, V extends Record<string, Fields>> = {
  [K in keyof V]: Flat<{ [T in Tag]: K } & StructOf<V[K]>>
}[keyof V]

/**
 * Canonical DAG-CBOR of one kind of record. `encode` and `decode` are inverse to each other:
 * a value has one encoding, and bytes that are not that encoding are refused.
 */
export interface Codec<T> {
  /** the kind of record, for error messages */
  readonly name: string
  readonly bytesMax: number
  readonly schema: Schema<T>

  /**
   * @throws {MalformedRecordError} or one of its subclasses, if the value is not one that others would accept
   */
  // eslint-disable-next-line @typescript-eslint/method-signature-style -- methods are bivariant: Codec<A> must not pass for Codec<B> unless A and B are the same
  readonly encode: (value: T) => Uint8Array

  /**
   * @throws {RecordTooLargeError} before anything is parsed
   * @throws {MalformedRecordError} if the bytes are no record of this kind; unknown fields are refused
   * @throws {OutOfRangeError} if a number, length or count is outside its limits
   * @throws {NotCanonicalError} if the bytes are not the one encoding of their value
   */
  // eslint-disable-next-line @typescript-eslint/method-signature-style -- as above
  readonly decode: (bytes: Uint8Array) => T
}
