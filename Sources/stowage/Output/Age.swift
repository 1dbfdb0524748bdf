// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// How long ago something was, in Podman's words: `3 days ago`. Cut down to whole units, but hours are rounded.
///
/// - Returns: `-` for a time that was never set.
func ageText(of time: Timestamp, at now: Timestamp) -> String {
  if time.seconds == Timestamp.unset.seconds { return "-" }
  let seconds = now.seconds &- time.seconds
  // Clocks of machines that share a store differ a little.
  if seconds < -60 { return "in the future" }
  return spanText(seconds) + " ago"
}

private func spanText(_ seconds: Int64) -> String {
  if seconds < 1 { return "Less than a second" }
  if seconds == 1 { return "1 second" }
  if seconds < 60 { return "\(seconds) seconds" }
  if seconds < 120 { return "About a minute" }
  if seconds < 3600 { return "\(seconds / 60) minutes" }
  let hours = (seconds + 1800) / 3600
  if hours == 1 { return "About an hour" }
  let day: Int64 = 86400
  if hours < 48 { return "\(hours) hours" }
  if hours < 24 * 14 { return "\(max(2, seconds / day)) days" }
  if hours < 24 * 60 { return "\(max(2, seconds / day / 7)) weeks" }
  if hours < 24 * 730 { return "\(max(2, seconds / day / 30)) months" }
  return "\(max(2, seconds / day / 365)) years"
}
