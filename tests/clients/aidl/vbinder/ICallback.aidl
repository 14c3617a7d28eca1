// SPDX-License-Identifier: GPL-2.0
package vbinder;

interface ICallback {
    String called(String text);
}
