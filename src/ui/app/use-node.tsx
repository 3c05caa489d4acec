import { createContext, useCallback, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { nodeApi } from './api.ts'
import { contributionColours } from './colours.ts'
import { nodeStore } from './store.ts'
import type { Api } from './api.ts'
import type { NodeData, Resource } from './node-data.ts'
import type { AccountInfo, Params } from './types.ts'
import type { ReactNode } from 'react'

interface NodeContext {
  api: Api
  data: NodeData
  refresh (...what: Resource[]): void
  /** the account that acts, by its name in the node's keychain */
  as: string | undefined
  acting: AccountInfo | undefined
  setAs (name: string): void
  /** parameters in force */
  params: Params | undefined
  colourOf (contribution: string): string
  /** an account's name, if it is one of this node's */
  nameOf (account: string): string | undefined
}

const Context = createContext<NodeContext | undefined>(undefined)

const AS_KEY = 'datanet/as'

export function NodeProvider ({ token, children }: { token: string, children: ReactNode }): ReactNode {
  const store = useMemo(() => nodeStore(nodeApi(token)), [token])
  const data = useSyncExternalStore(store.subscribe, store.get)
  const [chosen, setChosen] = useState(() => sessionStorage.getItem(AS_KEY) ?? undefined)

  useEffect(() => store.start(), [store])

  const setAs = useCallback((name: string) => {
    sessionStorage.setItem(AS_KEY, name)
    setChosen(name)
  }, [])

  const { wallet, contributions, status } = data
  const acting = useMemo(() => wallet?.find(({ name }) => name === chosen) ?? usual(wallet, status?.account), [wallet, chosen, status?.account])
  const colourOf = useMemo(() => contributionColours(contributions ?? []), [contributions])
  const nameOf = useCallback((account: string) => wallet?.find(view => view.account === account)?.name, [wallet])

  const value = useMemo((): NodeContext => ({
    api: store.api,
    data,
    refresh: store.refresh,
    as: acting?.name,
    acting,
    setAs,
    params: status?.params as Params | undefined,
    colourOf,
    nameOf
  }), [store, data, acting, setAs, status, colourOf, nameOf])

  return <Context value={value}>{children}</Context>
}

export function useNode (): NodeContext {
  const context = useContext(Context)

  if (context == null) {
    throw new TypeError('useNode belongs below NodeProvider')
  }

  return context
}

/** Who acts if nobody was chosen: the node's own account, or the one that can pay if that is empty. */
function usual (wallet: AccountInfo[] | undefined, account: string | undefined): AccountInfo | undefined {
  const own = wallet?.find(view => view.account === account) ?? wallet?.[0]

  return own == null || BigInt(own.balance) > 0n
    ? own
    : wallet?.reduce((richest, view) => BigInt(view.balance) > BigInt(richest.balance) ? view : richest, own)
}
