// SPDX-License-Identifier: Apache-2.0

extension StringProtocol {
  /// The text without white space at both ends.
  package var trimmedText: String {
    var rest = Substring(self)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }
}
