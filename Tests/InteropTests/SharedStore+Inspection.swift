// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageTestSupport
import Testing

extension SharedStore {
  /// The lowercase hexadecimal SHA-256 of what a command writes to its standard output.
  func sha256(_ words: [String]) throws -> String {
    let quoted = words.map { "'\($0)'" }.joined(separator: " ")
    let sum = try command(["bash", "-o", "pipefail", "-c", quoted + " | sha256sum"])
    return String(sum.output.prefix(64))
  }

  /// The diffID in the record of a layer.
  func recordedDiffID(of layer: String) throws -> String {
    let records = try stowage("layer", "-j", layer).output
    let marker = "\"diff-digest\":\""
    let start = try #require(records.firstRange(of: marker)).upperBound
    return String(records[start...].prefix { $0 != "\"" })
  }

  /// Records nothing left behind as an issue: no incomplete record, no directory without a record, no dangling link, no
  /// mount, no temporary file.
  func expectNoLeftovers(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let script = """
      cd \(graph) || exit 9
      for f in \(driver)-layers/*.json \(driver)-images/*.json \(driver)-containers/*.json \
        \(runRoot)/\(driver)-layers/*.json; do
        [ -e "$f" ] || continue
        jq -e 'type == "array"' "$f" >/dev/null || echo "does not parse: $f"
        grep -l '"incomplete":true' "$f"
      done
      jq -c '.[]' \(runRoot)/\(driver)-layers/mountpoints.json 2>/dev/null | sed 's/^/mounted: /'
      ids=$(jq -r '.[].id' \(driver)-layers/layers.json \(driver)-layers/volatile-layers.json 2>/dev/null)
      for d in \(layerHome(of: driver))/*/; do
        n=$(basename "$d")
        case "$n" in l|tempdirs|staging|"*") continue ;; esac
        echo "$ids" | grep -qxF -- "$n" || echo "directory without record: $d"
      done
      for id in $ids; do
        [ -d "\(layerHome(of: driver))/$id" ] || echo "record without directory: $id"
      done
      for f in \(driver)-layers/*.tar-split.gz; do
        [ -e "$f" ] || continue
        n=$(basename "$f" .tar-split.gz)
        echo "$ids" | grep -qxF -- "$n" || echo "tar-split without record: $f"
      done
      for k in images containers; do
        for d in \(driver)-$k/*/; do
          [ -e "$d" ] || continue
          n=$(basename "$d")
          jq -r '.[].id' \(driver)-$k/*.json | grep -qxF -- "$n" || echo "data without record: $d"
        done
      done
      find . -name '.tmp-*' -o -xtype l -path './overlay/l/*' | sed 's/^/stray: /'
      find \(driver)/tempdirs \(driver)-layers/tmp -mindepth 1 -maxdepth 1 2>/dev/null | sed 's/^/stray: /'
      grep -o ' \(directory)/[^ ]*merged' /proc/self/mountinfo | sed 's/^/mount:/'
      true
      """
    let findings = try command(["bash", "-c", script]).lines
    #expect(findings.isEmpty, "left behind: \(findings.joined(separator: "; "))", sourceLocation: sourceLocation)
  }
}
