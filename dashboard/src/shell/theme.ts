/** Light, dark, or as the system has it: the visitor's choice outlives the tab. */
import { useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'hubbub.theme'
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }

export function useTheme(): [Theme, () => void] {
  const [theme, set] = useState<Theme>(() => {
    const kept = read()
    show(kept)
    return kept
  })
  return [theme, () => {
    const next = NEXT[theme]
    show(next)
    try {
      localStorage.setItem(KEY, next)
    } catch {
      // Then it holds for this page.
    }
    set(next)
  }]
}

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY)
    return kept === 'light' || kept === 'dark' ? kept : 'system'
  } catch {
    return 'system'
  }
}

function show(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}
