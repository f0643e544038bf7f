import { locale } from '../messages'
import { en } from './texts/en'

/** The texts of the settings in the language of the page, which is known before this is loaded. */
export const t: typeof en = locale === 'zh' ? (await import('./texts/zh')).zh : en
