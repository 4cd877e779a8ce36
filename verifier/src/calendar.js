// Reporting periods: calendar periods in UTC, cut to the licence's term (contracts/libraries/Periods.sol).
// Times are Unix seconds as BigInt, ends exclusive.

export const DAY = 86_400n;
export const YEAR = 365n * DAY;
/** The end of a perpetual licence that was not terminated. */
export const FOREVER = (1n << 256n) - 1n;

const DAYS_TO_EPOCH = 719_528n; // from 1 January of the year 0
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].map(BigInt);

function daysBefore(year) {
  const past = year - 1n;
  return 365n * year + past / 4n - past / 100n + past / 400n + 1n;
}

function lengthOf(year, month) {
  const isLeap = year % 4n === 0n && (year % 100n !== 0n || year % 400n === 0n);
  return month === 1 && isLeap ? 29n : LENGTHS[month];
}

/** The first second of a month, counted from January of the year 0. */
export function monthStart(month) {
  const year = month / 12n;
  let days = daysBefore(year);
  for (let one = 0; one < Number(month % 12n); one++) days += lengthOf(year, one);
  return (days - DAYS_TO_EPOCH) * DAY;
}

/** The month that contains a time, counted from January of the year 0. */
export function monthOf(time) {
  const day = time / DAY + DAYS_TO_EPOCH;
  let year = (day * 400n) / 146_097n;
  while (daysBefore(year) > day) year -= 1n;
  while (daysBefore(year + 1n) <= day) year += 1n;
  let rest = day - daysBefore(year);
  let month = 0;
  while (rest >= lengthOf(year, month)) rest -= lengthOf(year, month++);
  return year * 12n + BigInt(month);
}

/** Start, end, full seconds and dates of a licence's period. `stop`: the first second after the licence. */
export function spanOf(terms, acceptedAt, stop, period) {
  const months = terms.periodMonths;
  const first = (monthOf(terms.start) / months + period) * months;
  const [fullStart, fullEnd] = [monthStart(first), monthStart(first + months)];
  const end = fullEnd < stop ? fullEnd : stop;
  const from = end > acceptedAt ? end : acceptedAt;
  const payBy = from + terms.daysToPay * DAY;
  return {
    start: period === 0n ? terms.start : fullStart,
    end,
    fullSeconds: fullEnd - fullStart,
    reportBy: from + terms.daysToReport * DAY,
    payBy,
    interestFrom: payBy + terms.graceDays * DAY,
  };
}
