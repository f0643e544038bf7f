import { locale } from '../messages'
import { en } from './texts/en'

/** The texts of the settings in the language of the page. */
export let t: typeof en = en

/** Loads the texts in the language of the page. Called before a page of the settings is shown. */
export async function loadTexts() {
  if (locale === 'zh') t = (await import('./texts/zh')).zh
}
