/** The newest entries of a map, bounded: the oldest makes room. */
export class BoundedMap<V> {
  private readonly entries = new Map<string, V>()
  private readonly sizeMax: number

  constructor (sizeMax: number) {
    this.sizeMax = sizeMax
  }

  get (key: string): V | undefined {
    return this.entries.get(key)
  }

  set (key: string, value: V): void {
    this.entries.delete(key)
    this.entries.set(key, value)
    if (this.entries.size > this.sizeMax) {
      const [oldest] = this.entries.keys()
      if (oldest !== undefined) {
        this.entries.delete(oldest)
      }
    }
  }

  delete (key: string): void {
    this.entries.delete(key)
  }
}
