<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- layout.xsl: the frame of every page, and the pieces that several pages share. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:template match="page">
    <html lang="{@lang}">
      <xsl:apply-templates select="." mode="head"/>
      <body class="page-{@name}">
        <a class="skip" href="#main"><xsl:value-of select="m:text('skip')"/></a>
        <xsl:apply-templates select="." mode="header"/>
        <main id="main" tabindex="-1">
          <p class="service"><xsl:apply-templates select="." mode="service"/></p>
          <h1><xsl:apply-templates select="." mode="title"/></h1>
          <xsl:apply-templates select="." mode="summary"/>
          <xsl:apply-templates select="." mode="body"/>
        </main>
        <xsl:apply-templates select="." mode="footer"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="page" mode="title">
    <xsl:value-of select="m:text(concat('title.', @name))"/>
  </xsl:template>

  <xsl:template match="page" mode="service">
    <xsl:value-of select="m:text('service')"/>
  </xsl:template>
  <xsl:template match="page[@service]" mode="service">
    <xsl:value-of select="@service"/>
  </xsl:template>

  <xsl:template match="page" mode="head">
    <xsl:variable name="title"><xsl:apply-templates select="." mode="title"/></xsl:variable>
    <head>
      <title>
        <xsl:choose>
          <xsl:when test="problem">
            <xsl:value-of select="m:text('title.problem', string($title))"/>
          </xsl:when>
          <xsl:otherwise><xsl:value-of select="$title"/></xsl:otherwise>
        </xsl:choose>
        <xsl:value-of select="concat(' – ', @organization)"/>
      </title>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="robots" content="noindex"/>
      <!-- Older versions of Safari send no Origin with a form, so they must send a Referer. No page
           with a form has a secret in its address. -->
      <xsl:if test="//form | signed-in"><meta name="referrer" content="same-origin"/></xsl:if>
      <meta name="color-scheme" content="light dark"/>
      <meta name="format-detection" content="telephone=no"/>
      <xsl:call-template name="icon"/>
      <link rel="stylesheet" href="{@static}/esign.css"/>
      <xsl:if test="m:static('theme.css') != 'theme.css'">
        <link rel="stylesheet" href="{@static}/{m:static('theme.css')}"/>
      </xsl:if>
      <script src="{@static}/esign.js" defer="defer"></script>
      <xsl:apply-templates select="." mode="head-more"/>
    </head>
  </xsl:template>

  <xsl:template match="page" mode="head-more"/>

  <xsl:template match="page" mode="header">
    <header class="top">
      <div class="frame">
        <a class="brand" href="{@home}">
          <xsl:call-template name="logo"/>
          <span><xsl:value-of select="@organization"/></span>
        </a>
        <nav class="languages" aria-label="{m:text('language')}">
          <ul>
            <xsl:apply-templates select="languages/language"/>
          </ul>
        </nav>
        <xsl:if test="signed-in">
          <xsl:call-template name="sign-out"/>
        </xsl:if>
      </div>
    </header>
  </xsl:template>

  <!-- The logo: a shield with a signature on a line. It is part of the page, which saves the first
       visit a request. -->
  <xsl:template name="logo">
    <xsl:choose>
      <xsl:when test="m:static('logo.svg') != 'logo.svg'">
        <img src="{@static}/{m:static('logo.svg')}" alt="" width="44" height="44"/>
      </xsl:when>
      <xsl:otherwise><xsl:call-template name="own-logo"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="own-logo">
    <svg viewBox="0 0 48 48" width="44" height="44" aria-hidden="true">
      <path d="M24 2.5 43 9v14.6C43 34.4 35.2 42.6 24 46 12.8 42.6 5 34.4 5 23.6V9z"
            fill="#0f4c75"/>
      <path d="M24 6.2 39.6 11.5v12.2c0 8.9-6.3 15.7-15.6 18.7-9.3-3-15.6-9.8-15.6-18.7V11.5z"
            fill="none" stroke="#d9ae61" stroke-width="1.4"/>
      <path
          d="M13.5 27.5c3.2-8.6 7.2-13.3 8.7-11.7 1.7 1.9-4.7 12.9-2.3 13.8 2.1.8 5.1-7.9 6.9-7.3 1.5.5-1 5.6.8 6.1 1.7.5 3.5-3.7 7.4-4.6"
            fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"
            stroke-linejoin="round"/>
      <path d="M16 34.5h16" stroke="#d9ae61" stroke-width="1.8" stroke-linecap="round"/>
    </svg>
  </xsl:template>

  <!-- The icon of the browser's tab. -->
  <xsl:template name="icon">
    <link rel="icon" href="{@static}/{m:static('favicon.svg')}" type="image/svg+xml"/>
  </xsl:template>

  <xsl:template match="language">
    <li>
      <a href="{@href}" lang="{@code}" hreflang="{@code}">
        <xsl:if test="@current = 'yes'">
          <xsl:attribute name="aria-current">true</xsl:attribute>
        </xsl:if>
        <xsl:value-of select="m:text(concat('language.', @code))"/>
      </a>
    </li>
  </xsl:template>

  <xsl:template match="page" mode="footer">
    <footer class="bottom">
      <div class="frame">
        <p><xsl:value-of select="m:text('footer.caution')"/></p>
        <ul>
          <li><a href="{@home}"><xsl:value-of select="m:text('footer.home')"/></a></li>
          <li><a href="{@prefix}/"><xsl:value-of select="m:text('footer.start')"/></a></li>
        </ul>
      </div>
    </footer>
  </xsl:template>

  <!-- Signing out changes state, so it is a POST. -->
  <xsl:template name="sign-out">
    <xsl:param name="label" select="'sign-out'"/>
    <form class="sign-out" method="post" action="{/page/@prefix}/logout">
      <button type="submit"><xsl:value-of select="m:text($label)"/></button>
    </form>
  </xsl:template>

  <!-- The step of three that the page is. -->
  <xsl:template name="step">
    <xsl:param name="number"/>
    <p class="step step-{$number}">
      <span class="bar" aria-hidden="true"><span/><span/><span/></span>
      <xsl:value-of select="m:text('step', string($number), '3')"/>
    </p>
  </xsl:template>

  <!-- A link to the next page that looks like a button. -->
  <xsl:template name="onward">
    <xsl:param name="href"/>
    <xsl:param name="key"/>
    <xsl:param name="class" select="'button'"/>
    <a class="{$class}" href="{$href}"><xsl:value-of select="m:text($key)"/></a>
  </xsl:template>

  <!-- A big link with a note, for the start page and the menu. The note is not part of the link's
       text. -->
  <xsl:template name="choice">
    <xsl:param name="href"/>
    <xsl:param name="key"/>
    <xsl:param name="class" select="'choice'"/>
    <li class="{$class}">
      <a href="{$href}"><xsl:value-of select="m:text($key)"/></a>
      <p><xsl:value-of select="m:text(concat($key, '.note'))"/></p>
    </li>
  </xsl:template>

  <!-- The seconds that are left. The page has the number at the time it was made; esign.js counts
       down and shows the text `ended` at the end. -->
  <xsl:template name="countdown">
    <xsl:param name="seconds"/>
    <xsl:param name="left"/>
    <xsl:param name="ended"/>
    <xsl:param name="then"/>
    <div class="countdown" data-seconds="{$seconds}" data-ended="{m:text($ended)}">
      <xsl:if test="$then">
        <xsl:attribute name="data-then"><xsl:value-of select="$then"/></xsl:attribute>
      </xsl:if>
      <xsl:if test="$seconds &gt; 0">
        <p>
          <xsl:value-of select="m:text($left)"/>
          <xsl:text> </xsl:text>
          <strong role="timer">
            <xsl:call-template name="duration">
              <xsl:with-param name="seconds" select="$seconds"/>
            </xsl:call-template>
          </strong>
        </p>
      </xsl:if>
      <p role="status">
        <xsl:if test="$seconds &lt;= 0"><xsl:value-of select="m:text($ended)"/></xsl:if>
      </p>
    </div>
  </xsl:template>

</xsl:stylesheet>
