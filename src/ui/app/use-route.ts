import { useSyncExternalStore } from 'react'
import type { RoomName } from './types.ts'

export const rooms: RoomName[] = ['data', 'fine-tune', 'ask', 'settle', 'why', 'govern']

export interface Route {
  room: RoomName
  params: URLSearchParams
}

const subscribe = (listener: () => void): () => void => {
  addEventListener('hashchange', listener)

  return () => { removeEventListener('hashchange', listener) }
}

/** The room in the address bar: `#/ask?adapter=…`. */
export function useRoute (): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  const [name, query = ''] = hash.replace(/^#\/?/, '').split('?')

  return { room: rooms.find(room => room === name) ?? 'data', params: new URLSearchParams(query) }
}

export function go (room: RoomName, params: Record<string, string> = {}): void {
  const query = new URLSearchParams(params).toString()

  location.hash = `/${room}${query === '' ? '' : `?${query}`}`
}
