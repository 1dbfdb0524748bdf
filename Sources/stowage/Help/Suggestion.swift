// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// What a mistyped word may have been meant to be.
enum Suggestion {
  /// `; did you mean "images" or "image"?`, or nothing.
  static func question(for word: String, among known: [String]) -> String {
    let near = candidates(near: word, among: known).map { "\"\($0)\"" }
    return near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
  }

  /// The nearest candidates, three at most: those that differ from the word by one or two letters, or go on where it ends.
  static func candidates(near word: String, among candidates: [String]) -> [String] {
    let letters = scalars(word)
    // Of one letter nothing can be told, and whatever is longer is nobody's slip.
    guard letters.count > 1, letters.count <= 40 else { return [] }
    let limit = letters.count < 5 ? 1 : 2
    let near = candidates.compactMap { candidate -> (distance: Int, name: String)? in
      let other = scalars(candidate)
      if other.count < 2 { return nil }
      let distance = distance(letters, other)
      if distance <= limit { return (distance, candidate) }
      return letters.count > 2 && other.starts(with: letters) ? (limit + 1, candidate) : nil
    }
    let best = near.map(\.distance).min()
    return near.filter { $0.distance == best }.map(\.name).sorted().prefix(3).map { $0 }
  }

  /// Small letters, without the dashes of an option.
  private static func scalars(_ word: String) -> [Unicode.Scalar] {
    Array(word.lowercased().unicodeScalars.drop { $0 == "-" })
  }

  /// How many letters must be put in, left out, changed or swapped with their neighbour.
  private static func distance(_ one: [Unicode.Scalar], _ other: [Unicode.Scalar]) -> Int {
    var (before, last): ([Int], [Int]) = ([], Array(0...other.count))
    for row in one.indices {
      var current = [row + 1]
      for column in other.indices {
        var best = min(last[column + 1], current[column]) + 1
        best = min(best, last[column] + (one[row] == other[column] ? 0 : 1))
        if row > 0, column > 0, one[row] == other[column - 1], one[row - 1] == other[column] {
          best = min(best, before[column - 1] + 1)
        }
        current.append(best)
      }
      (before, last) = (last, current)
    }
    return last[other.count]
  }
}
