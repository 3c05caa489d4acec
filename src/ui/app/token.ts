const KEY = 'datanet/token'

/** Takes the token out of the address, where it would be seen and shared, into this tab's memory. */
export function takeToken (): string | undefined {
  const match = /(?:^#|&)token=([^&]+)/.exec(location.hash)

  if (match != null) {
    keepToken(decodeURIComponent(match[1]))
    history.replaceState(null, '', `${location.pathname}${location.search}`)
  }

  return sessionStorage.getItem(KEY) ?? undefined
}

export function keepToken (token: string): void {
  sessionStorage.setItem(KEY, token)
}

export function forgetToken (): void {
  sessionStorage.removeItem(KEY)
}
