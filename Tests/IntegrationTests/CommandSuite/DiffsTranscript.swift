// SPDX-License-Identifier: Apache-2.0

extension SuiteTests {
  /// Changes, diffs and copies (cli 18).
  static let diffs = #"""
    ! mkdir src && printf 'hello, world\n' > src/file && touch -d @0 src/file && tar --owner=0 --group=0 -C src -cf layer.tar file && printf 'notatar\n' > bad
    $ create-layer --id l1
    1| l1
    $ changes l1
    $ changes --json l1
    1| null
    $ import-layer --id t1 -f layer.tar l1
    1| t1
    $ changes t1
    1| Add "/file"
    $ changes -j t1 l1
    1| [{"Path":"/file","Kind":1}]
    $ changes nope
    2| layer not known
    rc=1
    $ changes -j t1 nope
    2| layer not known
    rc=1
    $ diffsize t1
    1| 13
    $ diff-size t1 l1
    1| 13
    $ diffsize nope
    2| layer not known
    rc=1
    $ diff -u -f out.tar t1
    ! cmp out.tar layer.tar
    $ diff --gzip -f out.gz t1
    ! gzip -dc out.gz | cmp - layer.tar
    $ diff --bzip2 t1
    2| unsupported compression format tar.bz2
    rc=1
    $ diff --xz t1
    2| unsupported compression format tar.xz
    rc=1
    $ diff nope
    2| layer not known
    rc=1
    $ diff -f /nonexistent/x t1
    2| open /nonexistent/x: no such file or directory
    rc=1
    $ create-layer --id l5
    1| l5
    $ applydiff -f layer.tar l5
    $ diff -f again.tar l5
    ! cmp again.tar layer.tar
    $ apply-diff l1 <layer.tar
    $ applydiff nope
    2| layer not known
    rc=1
    $ applydiff -f /nonexistent l5
    2| open /nonexistent: no such file or directory
    rc=1
    $ applydiff-using-staging-dir n1 src
    2| partial images are disabled
    rc=1
    $ create-layer --id q1
    1| q1
    $ copy src q1:/
    $ copy q1:file /w/out
    ! cmp out src/file
    $ copy nope:/x q1:/
    2| error finding layer "nope": layer not known
    rc=1
    $ copy -o x src/file q1:/z
    2| bad UID: strconv.ParseUint: parsing "x": invalid syntax
    rc=1
    $ copy -o 1:y src/file q1:/z
    2| bad GID: strconv.ParseUint: parsing "y": invalid syntax
    rc=1
    """#
}
