/** Short names for the shapes of the outlook: what is expected, and how good that was. All come from the server's description. */
import type { components } from '$lib/api/schema';

type Schemas = components['schemas'];
export type Text = Schemas['CrowdForecastText'];
export type ForecastSet = Schemas['CrowdForecastSet'];
export type Notice = Schemas['CrowdForecastNotice'];
export type Series = Schemas['CrowdForecastSeries'];
export type Reason = Schemas['CrowdForecastReason'];
export type Progress = Schemas['CrowdForecastProgress'];
export type Forecast = Schemas['CrowdForecast'];
export type Point = Schemas['CrowdForecastPoint'];
export type Count = Schemas['CrowdForecastCount'];
export type RecordHour = Schemas['CrowdForecastRecordHour'];
export type SeriesRecord = Schemas['CrowdForecastRecord'];
export type Score = Schemas['CrowdForecastScore'];
export type Week = Schemas['CrowdForecastWeek'];
export type WeekDay = Schemas['CrowdForecastWeekDay'];
export type WeekSeries = Schemas['CrowdForecastWeekSeries'];
export type CalendarDay = Schemas['CrowdForecastCalendarDay'];
export type ModelCard = Schemas['CrowdForecastModelCard'];
export type Nowcast = Schemas['CrowdNowcast'];
export type NowcastSeries = Schemas['CrowdNowcastSeries'];
export type NowcastAhead = Schemas['CrowdNowcastPoint'];
export type NowcastLatest = Schemas['CrowdNowcastCount'];
export type NowcastQuality = Schemas['CrowdNowcastScore'];
