import { createTheme } from '@mantine/core'

/** One accent, small radii, system fonts: the colour on the page belongs to the data. */
export const theme = createTheme({
  colors: {
    // greys of the page's dark colours, so that fields and papers belong together
    dark: ['#e9eaee', '#c9cdd6', '#a3aab8', '#8f96a5', '#3d4450', '#333944', '#20242c', '#14161b', '#101216', '#0b0d10']
  },
  primaryColor: 'indigo',
  primaryShade: 8,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '650' },
  respectReducedMotion: true,
  cursorType: 'pointer'
})
