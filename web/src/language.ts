/** The languages of the dashboard, each by its own name. */
export const languages = { en: 'English', zh: '中文' } as const

export type Language = keyof typeof languages

const KEY = 'weir.language'

const isLanguage = (v: unknown): v is Language => typeof v === 'string' && Object.hasOwn(languages, v)

/** The first language that the browser asks for and the dashboard has. */
export const preferred = (asked: readonly string[]): Language =>
  asked.map((tag) => tag.split('-')[0]).find(isLanguage) ?? 'en'

/** The language that was chosen in this browser, or else the one that it asks for. */
export function language(): Language {
  let chosen: unknown
  try {
    chosen = localStorage.getItem(KEY)
  } catch {
    // Storage may be forbidden.
  }
  return isLanguage(chosen) ? chosen : preferred(navigator.languages)
}

/** Chooses a language. The page is loaded again, since its texts are read once. */
export function chooseLanguage(chosen: Language) {
  try {
    localStorage.setItem(KEY, chosen)
  } catch {
    return // without storage the choice would not outlive the load
  }
  location.reload()
}
